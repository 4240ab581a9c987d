#!/bin/bash
# Starts Kafka; before the first start, its storage gets the services' SCRAM users.
set -euo pipefail
users=()
for file in /run/secrets/kafka-*; do
  users+=(--add-scram "SCRAM-SHA-512=[name=realtoros-${file#/run/secrets/kafka-},password=$(cat "$file")]")
done
# Logs and heap dumps would be below a read-only root.
export LOG_DIR=/tmp/logs KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx512m}"
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id 5L6g3nShT-eMCtK--X86sw \
  --config /setup/server.properties "${users[@]}"
exec /opt/kafka/bin/kafka-server-start.sh /setup/server.properties
