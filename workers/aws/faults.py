"""AWS's faults, translated at the wall: one table says what each means and whose turn it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from config.masker import cut
from workers.aws.budget import retry_after
from workers.aws.permissions import needed
from workers.ledger.model.errors import OurError, PassingError, RunError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MESSAGE = 400
"""Characters of AWS's own words that a message of ours repeats."""


class ThrottledError(PassingError):
    """AWS asks us to slow down; `retry_after` is in seconds, None when it didn't say."""

    retry_after: float | None = None


class InProgressError(PassingError):
    """Another change is still under way: wait for it and go on."""


class ChangedError(PassingError):
    """Somebody else changed it since we looked: read again and decide again."""


class RevisionMismatchError(ChangedError):
    """The RevisionId that we sent is no longer the latest."""


class HashMismatchError(ChangedError):
    """The function's code isn't the package that we meant."""


class MissingError(OurError):
    """An object isn't there."""


class ForbiddenError(OurError):
    """The identity may not do it."""


@dataclass(frozen=True)
class Rule:
    """What one group of AWS's error codes means; `words` and `operation` narrow it."""

    codes: frozenset[str]
    fault: type[RunError]
    advice: str
    words: str = ""
    operation: str = ""

    def holds(self, code: str, message: str, operation: str) -> bool:
        """Whether this rule speaks about that answer."""
        return (
            code in self.codes
            and self.words in message.lower()
            and self.operation in ("", operation)
        )


def _rule(codes: str, fault: type[RunError], advice: str, **narrow: str) -> Rule:
    return Rule(frozenset(codes.split()), fault, advice, **narrow)


DENIED = frozenset({"AccessDenied", "AccessDeniedException", "403", "Forbidden"})
"""Codes that may speak of one action that is not allowed."""

CREDENTIALS = "the operator's turn: check the AWS credentials, the role and its permissions"
PACKAGE = "the package doesn't fit Lambda's limits: correct what slipway.toml packs"
THROTTLES = (
    "TooManyRequestsException Throttling ThrottlingException ThrottledException RequestThrottled "
    "RequestThrottledException RequestLimitExceeded SlowDown BandwidthLimitExceeded 429"
)

# The first rule that holds wins.
RULES: tuple[Rule, ...] = (
    # moto says ConflictException where AWS says ResourceConflictException.
    _rule(
        "ResourceConflictException ConflictException",
        ChangedError,
        "somebody created it meanwhile",
        operation="CreateAlias",
    ),
    _rule(
        "ResourceConflictException",
        ChangedError,
        "something leads to it",
        operation="DeleteFunction",
    ),
    _rule(
        "ResourceConflictException",
        ChangedError,
        "a statement of that name was made meanwhile",
        operation="AddPermission",
    ),
    _rule(
        "ResourceConflictException ConflictException",
        InProgressError,
        "another update is in progress",
    ),
    _rule("ConditionalRequestConflict OperationAborted", InProgressError, "a write is under way"),
    _rule(
        "PreconditionFailedException", RevisionMismatchError, "somebody else changed it meanwhile"
    ),
    _rule("PreconditionFailed 412", ChangedError, "it exists already"),
    _rule(
        "InvalidParameterValueException",
        HashMismatchError,
        "somebody else changed the function's code meanwhile",
        words="codesha256",
    ),
    _rule("InvalidParameterValueException", UserError, PACKAGE, words="unzip"),
    _rule("RequestEntityTooLargeException", UserError, PACKAGE),
    _rule(
        "InvalidParameterValueException",
        UserError,
        "the function runs a container image, Slipway deploys zip packages: "
        "create it with the package type Zip",
        words="imageuri",
    ),
    _rule(
        "ResourceNotFoundException",
        ChangedError,
        "somebody removed the alias meanwhile",
        words="cannot find alias",
    ),
    _rule(
        "NotFoundException",
        MissingError,
        "it doesn't exist, the operator's turn: create it (terraform) or correct `rest_api` in the "
        "operator's TOML",
    ),
    _rule(
        "BadRequestException",
        OurError,
        "the API has no method yet, the operator's turn: create them (terraform)",
        words="doesn't contain any methods",
    ),
    _rule(
        "NoSuchDistribution",
        MissingError,
        "the distribution doesn't exist, the operator's turn: correct `distribution`",
    ),
    _rule("TooManyInvalidationsInProgress", InProgressError, "others are still under way"),
    _rule("NoSuchKey 404 NotFound NoSuchVersion", MissingError, "it isn't there"),
    _rule(
        "NoSuchBucket",
        OurError,
        "the bucket doesn't exist, the operator's turn: create it (terraform) or correct "
        "`bucket` in the operator's TOML",
    ),
    _rule(
        "CodeStorageExceededException",
        OurError,
        "Lambda's code storage of this account and region is full, the operator's turn: delete "
        "old versions of functions, or ask AWS for a higher quota",
    ),
    _rule(
        "AliasLimitExceededException",
        OurError,
        "the function has no room for another alias, the operator's turn: delete unused ones",
    ),
    _rule(
        "BadDigest XAmzContentSHA256Mismatch InvalidDigest",
        PassingError,
        "the bytes that arrived aren't those that were sent",
    ),
    # S3 answers so to a HEAD whose keys have expired; to all else it says what is wrong.
    _rule("400", OurError, CREDENTIALS, operation="HeadObject"),
    _rule("InternalError ServiceUnavailable", PassingError, "AWS failed"),
    _rule("RequestTimeout RequestTimeoutException 408", PassingError, "the request took too long"),
    _rule(THROTTLES, ThrottledError, "AWS asks to slow down"),
    _rule(" ".join(sorted(DENIED)), ForbiddenError, CREDENTIALS),
    _rule(
        "UnauthorizedOperation AuthFailure ExpiredToken ExpiredTokenException RequestExpired "
        "RequestTimeTooSkewed InvalidToken InvalidClientTokenId UnrecognizedClientException "
        "InvalidAccessKeyId SignatureDoesNotMatch InvalidSignatureException "
        "MissingAuthenticationToken MissingAuthenticationTokenException KMSAccessDeniedException",
        OurError,
        CREDENTIALS,
    ),
)

UNREACHABLE = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.FlexibleChecksumError,
    boto.MetadataRetrievalError,
)
WITHOUT_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
    boto.ProfileNotFound,
)


@contextmanager
def translated(what: str, *, function: str = "", region: str = "") -> Iterator[None]:
    """Turn botocore's exceptions inside the block into ours.

    `what` was being done and begins the message; `function` and `region` name what may not exist.

    Raises:
        RunError: the kind that RULES names.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _answered(error, what, function, region) from error
    except boto.BotoCoreError as error:
        raise _unanswered(error, what) from error
    except ResponseParserError as error:
        raise PassingError(
            f"{what}: the answer is none of AWS's, perhaps that of a proxy on the way "
            f"({cut(str(error), LONGEST_MESSAGE)})"
        ) from error


def _answered(error: boto.ClientError, what: str, function: str, region: str) -> RunError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    reason = error.response.get("Reason")
    where = f"{code}: {cut(message, LONGEST_MESSAGE)}{f', {reason}' if reason else ''}"
    for rule in RULES:
        if rule.holds(code, message, error.operation_name):
            advice = rule.advice + _needed(code, message, error.operation_name)
            return _with_delay(rule.fault(f"{what}: {advice} ({where})"), error)
    if code == "ResourceNotFoundException" and function:
        return UserError(
            f"function {function} doesn't exist in {region or 'this region'}: "
            f"create it (terraform) or correct slipway.toml ({where})"
        )
    status = _metadata(error).get("HTTPStatusCode", 0)
    if status == 429:  # noqa: PLR2004 - HTTP's own number: Too Many Requests
        return _with_delay(ThrottledError(f"{what}: AWS asks to slow down ({where})"), error)
    if status >= 500:  # noqa: PLR2004 - HTTP's own number: the server's fault
        return PassingError(f"{what}: AWS failed ({where})")
    return OurError(f"{what}: AWS refused it ({where})")


def _needed(code: str, message: str, operation: str) -> str:
    """What a refused call needs, where AWS has not said it."""
    words = needed(operation, message) if code in DENIED else ""
    return f"; {words}" if words else ""


def _metadata(error: boto.ClientError) -> dict[str, int]:
    return error.response.get("ResponseMetadata", {})  # type: ignore[return-value]


def _with_delay(fault: RunError, error: boto.ClientError) -> RunError:
    if isinstance(fault, ThrottledError):
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        fault.retry_after = retry_after(headers.get("retry-after"))
    return fault


def _unanswered(error: boto.BotoCoreError, what: str) -> RunError:
    if isinstance(error, UNREACHABLE):
        return PassingError(f"{what}: AWS is out of reach ({error})")
    if isinstance(error, WITHOUT_CREDENTIALS):
        return OurError(f"{what}: {CREDENTIALS} ({error})")
    if isinstance(error, boto.NoRegionError):
        return OurError(
            f"{what}: no region, the operator's turn: set `aws.region` of the environment "
            "or AWS_DEFAULT_REGION"
        )
    return OurError(f"{what}: {error}")
