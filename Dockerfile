# One image with every service; the command chooses. Needs nothing but Debian's packages.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY script/setup script/setup
RUN ./script/setup
COPY . .
# The client's checks of its man page and the tests are CI's business; the image is what is deployed.
RUN ./script/build release \
 && mkdir /out && cp build/release/bin/almanac build/release/bin/almanac-* build/release/bin/almanacd /out/ \
 && strip /out/*

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    libzmq5 libsodium23 libprotobuf-c1 liblmdb0 libmicrohttpd12 libxxhash0 libutf8proc2 libjansson4 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 almanac \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin almanac \
 && install -d -o almanac -g almanac -m 0700 /data
COPY --from=build /out/ /usr/local/bin/
ENV LANG=C.UTF-8
USER 10001:10001
CMD ["almanacd", "--help"]
