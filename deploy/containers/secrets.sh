#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, in a folder for its owner alone; one that is
# there stays. Put the keys of the providers into the empty files.
set -eu
folder=${SECRETS_DIR:-./.secrets}
mkdir -p "$folder" && chmod 700 "$folder"
cd "$folder"

random() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
# Readable for all, since containers have users of their own; the folder is what protects them.
keep() { [ -e "$1" ] || { printf '%s' "$2" > "$1" && chmod 444 "$1"; }; }

for user in crm scheduler composer mailer gateway operators; do
  keep "kafka-$user" "$(random 24)"
  keep "mongodb-$user" "mongodb://realtoros-$user:$(random 24)@mongodb:27017/?replicaSet=rs0"
done
keep mongodb-keyfile "$(random 256)"
keep token-keys "1:$(random 32)"
keep unsubscribe-keys "1:$(random 32)"
for provider in openai-api-key sendgrid-api-key smtp-url; do
  [ -e "$provider" ] || { : > "$provider" && chmod 644 "$provider"; }
done
