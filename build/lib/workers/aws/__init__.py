"""The only room that talks to AWS: sessions, packages in S3, functions and aliases."""
