FROM docker.io/library/python:3.11-slim-bookworm AS build
COPY app/requirements.txt /tmp/requirements.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt

FROM docker.io/library/python:3.11-slim-bookworm
# What the SQL Server driver in the wheels is linked with, beyond what the base image holds.
RUN apt-get update && apt-get install --yes --no-install-recommends libltdl7 && rm -rf /var/lib/apt/lists/*
# Every HTTP library trusts the system's store, so a company's own authority needs to be added in one place only.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
COPY --from=build /venv /venv
COPY app /srv/app
RUN python -m compileall -q /srv/app
WORKDIR /srv
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["python", "-m", "app"]
