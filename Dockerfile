# The daemon and the dashboard in one small image; docker-compose.yml says which of them a container runs.

FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/earshot \
    && /opt/earshot/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# The first user of most machines: files made there for the containers are this user's to read.
RUN useradd --uid 1000 --create-home earshot && install -d -m 700 -o earshot -g earshot /var/lib/earshot
COPY --from=packages /opt/earshot /opt/earshot
WORKDIR /opt/earshot/code
COPY LICENSE ./
COPY config ./config
COPY mentions ./mentions
COPY analysis ./analysis
COPY alerts ./alerts
COPY listener ./listener
COPY dashboard ./dashboard
ENV PATH=/opt/earshot/bin:$PATH HOME=/tmp PYTHONPATH=/opt/earshot/code
RUN python -m compileall -q .
ENV PYTHONDONTWRITEBYTECODE=1
USER earshot
VOLUME /var/lib/earshot
WORKDIR /var/lib/earshot
ENTRYPOINT ["python", "-m", "listener.cli"]
CMD ["--help"]
