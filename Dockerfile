# oscsynth for a box without a screen; docs/install.md says how to give it a sound card, or how to hear it in a browser.
#
#   docker build -t oscsynth .
#   docker run --rm --network host oscsynth

FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
RUN python3 -m venv /opt/oscsynth
COPY play.lock /src/
RUN /opt/oscsynth/bin/pip install --no-cache-dir --require-hashes -r /src/play.lock
COPY pyproject.toml README.md LICENSE /src/
COPY oscsynth /src/oscsynth
COPY patches /src/patches
COPY training /src/training
RUN /opt/oscsynth/bin/pip install --no-cache-dir --no-deps --no-build-isolation /src

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 libportaudio2 libasound2-plugins && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/oscsynth /opt/oscsynth
RUN useradd --create-home --groups audio player && install -d -o player -g player /home/player/.local /home/player/Music
ENV PATH=/opt/oscsynth/bin:$PATH
USER player
WORKDIR /home/player
# Patches, set list and session; recordings.
VOLUME ["/home/player/.local", "/home/player/Music"]
EXPOSE 57140/udp 57140/tcp 57141/tcp
HEALTHCHECK --interval=30s --start-period=10s CMD ["oscsynth", "send", "version"]
ENTRYPOINT ["oscsynth"]
CMD ["serve", "--lan"]
