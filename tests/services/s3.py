"""Buckets on the S3 server of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config

from tests.services.nodes import ACCESS_KEY, SECRET_KEY


@dataclass(frozen=True)
class S3Server:
    """What a client needs to use one bucket."""

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str

    @classmethod
    def at(cls, url: str, bucket: str) -> S3Server:
        """Read `http://access:secret@host:port`; without keys, those of the tests' own server."""
        parts = urlsplit(url)
        return cls(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            bucket,
            unquote(parts.username or ACCESS_KEY),
            unquote(parts.password or SECRET_KEY),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a portal process uses this bucket."""
        return {
            "XIANGYUN_STORAGE_URL": f"s3://{self.bucket}",
            "XIANGYUN_S3_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        """Return a boto3 client for this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                signature_version="s3v4", s3={"addressing_style": "path"}, proxies={"http": ""}
            ),
        )

    def create_bucket(self) -> None:
        self.client().create_bucket(Bucket=self.bucket)

    def remove_bucket(self) -> None:
        """Remove the bucket with all that it holds."""
        client = self.client()
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for found in page.get("Contents", []):
                client.delete_object(Bucket=self.bucket, Key=found["Key"])
        client.delete_bucket(Bucket=self.bucket)
