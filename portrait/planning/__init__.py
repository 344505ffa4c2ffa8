"""What a build will take and give, estimated before it starts."""
