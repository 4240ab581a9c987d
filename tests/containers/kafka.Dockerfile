FROM localhost/servers
COPY libs /opt/kafka/libs
RUN useradd --uid 1000 appuser && \
    install -d -o appuser /var/lib/kafka/data && install -d /opt/kafka/bin && cd /opt/kafka/bin && \
    printf '#!/bin/sh\nexec java -Xmx256m -cp "/opt/kafka/libs/*" kafka.tools.StorageTool "$@"\n' > kafka-storage.sh && \
    printf '#!/bin/sh\nexec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -cp "/opt/kafka/libs/*" kafka.Kafka "$@"\n' > kafka-server-start.sh && \
    chmod 755 kafka-*.sh
USER appuser
