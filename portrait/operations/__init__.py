"""Operations on whole portraits: layers in and out, verification, conversion, wrapping."""
