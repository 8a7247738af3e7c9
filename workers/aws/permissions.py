"""What each call of ours needs: IAM's actions by the name that botocore has for the call.

Sources: Service Authorization Reference, pages of Lambda, S3, API Gateway, CloudFront, CloudWatch
and STS; S3's API reference for what HeadObject, GetObject and CopyObject need beside their own.
"""

from collections.abc import Mapping

LAMBDA = (
    *("AddPermission", "CreateAlias", "DeleteAlias", "DeleteFunction", "GetAccountSettings"),
    *("GetAlias", "GetFunction", "GetPolicy", "ListAliases", "ListVersionsByFunction"),
    *("PublishVersion", "UpdateAlias"),
)
NEEDS: Mapping[str, tuple[str, ...]] = {
    **{name: (f"lambda:{name}",) for name in LAMBDA},
    # Lambda reads the package with the caller's rights.
    "UpdateFunctionCode": ("lambda:UpdateFunctionCode", "s3:GetObject", "s3:GetObjectVersion"),
    "Invoke": ("lambda:InvokeFunction",),
    "GetObject": ("s3:GetObject", "s3:ListBucket"),
    "HeadObject": ("s3:GetObject", "s3:ListBucket"),
    "HeadBucket": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "PutObject": ("s3:PutObject",),
    "CopyObject": ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
    "DeleteObjects": ("s3:DeleteObject",),
    "CreateInvalidation": ("cloudfront:CreateInvalidation",),
    "GetStage": ("apigateway:GET",),
    "GetDeployments": ("apigateway:GET",),
    "CreateStage": ("apigateway:POST",),
    "CreateDeployment": ("apigateway:POST",),
    "UpdateStage": ("apigateway:PATCH",),
    "DescribeAlarms": ("cloudwatch:DescribeAlarms",),
    "GetMetricData": ("cloudwatch:GetMetricData",),
    "AssumeRole": ("sts:AssumeRole",),
    # AWS lets everybody ask.
    "GetCallerIdentity": (),
}
"""HeadBucket is asked by botocore itself, where a bucket is in another region."""

NOT_THERE = frozenset({"GetObject", "HeadObject"})
"""What S3 refuses, without s3:ListBucket, also because there is no such object."""

WITHOUT_WORDS = frozenset({"HeadObject", "HeadBucket"})
"""Calls whose answers have no body, so that a refusal names nothing."""


def needed(operation: str, message: str) -> str:
    """What a call needs, as a part of a sentence; empty where AWS has named it, or nobody knows."""
    actions = NEEDS.get(operation, ())
    if not actions or any(action in message for action in actions):
        return ""
    words = f"{operation} needs {' and '.join(actions)}"
    if operation in NOT_THERE:
        words += ", the latter for what isn't there"
    if operation in WITHOUT_WORDS:
        words += "; S3 says no more to a HEAD"
    return words
