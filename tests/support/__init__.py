"""What tests share: running services, browsers and helpers."""
