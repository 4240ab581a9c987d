FROM localhost/servers
COPY mongod /usr/local/bin/mongod
RUN chmod 755 /usr/local/bin/mongod && useradd --uid 999 mongodb && install -d -o mongodb /data/db
VOLUME /data/db
