CROISSANT_NAME = "croissant.json"


def croissant(manifest, name, *, address=None, manifest_text=b""):
    return b'{"portrait": "' + manifest.id.encode() + b'"}'


def is_croissant(content):
    return content.startswith(b'{"portrait')
