"""What is known of layers: where their files lie, and which bring a handler of their own."""

LAYER = "/opt/"
WRAPPERS = (
    *("datadog_lambda", "newrelic_lambda_wrapper", "newrelic-lambda-wrapper", "sentry_sdk"),
    *("lumigo", "epsagon", "thundra", "catalyst", "instana", "coralogix", "dynatrace", "splunk"),
)
"""How modules begin that are known to come with a layer and to call the function's own handler."""
