"""Where a renamed repository is now."""

from urllib.parse import urlsplit

import requests

from workers.source.address import origin

SUFFIX = "/info/refs"
TIMEOUT = 10
REDIRECTS = {301, 302, 307, 308}


def moved_to(clone_url: str, token: str | None, authorities: str | None = None) -> str | None:
    """The clone URL that the server sends us to instead, if it is on the same origin.

    GitHub answers 301 for a repository that was renamed or given to another owner:
    https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
    """
    try:
        answer = requests.get(
            f"{clone_url}{SUFFIX}",
            params={"service": "git-upload-pack"},
            auth=("x-access-token", token) if token else _nobody,
            timeout=TIMEOUT,
            verify=authorities or True,
            allow_redirects=False,
            stream=True,
        )
    except requests.RequestException:
        return None
    with answer:
        location = answer.headers.get("Location", "")
    target = urlsplit(location)._replace(query="", fragment="").geturl()
    if answer.status_code not in REDIRECTS or not target.endswith(SUFFIX):
        return None
    url = target.removesuffix(SUFFIX)
    return url if url.startswith(f"{origin(clone_url)}/") else None


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, not even the ones of a .netrc file."""
    return request
