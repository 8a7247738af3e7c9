"""The same calls without guards: release_boto3.py PACKAGE BUCKET COMMIT ALIAS FUNCTION..."""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

package, bucket, commit, alias, *functions = sys.argv[1:]
s3, lambda_ = boto3.client("s3"), boto3.client("lambda")


def release(function: str) -> None:
    """Upload, new code, new version, alias."""
    key = f"{function}/{commit}.zip"
    s3.upload_file(package, bucket, key)
    lambda_.update_function_code(FunctionName=function, S3Bucket=bucket, S3Key=key)
    made = lambda_.publish_version(FunctionName=function, Description=commit)
    lambda_.update_alias(FunctionName=function, Name=alias, FunctionVersion=made["Version"])


with ThreadPoolExecutor(8) as pool:
    list(pool.map(release, functions))
