"""The only room that talks to AWS.

Sessions; packages and sites in S3; functions, their versions and aliases; API Gateway, CloudWatch
alarms and CloudFront.
"""
