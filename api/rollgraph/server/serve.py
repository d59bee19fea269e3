

def _who(settings: Settings) -> str:
    if settings.auth.mode is AuthMode.NONE:
        return "none (anyone on this machine may ask)"
    issuers = [provider.issuer for _, provider in agreements.providers(settings)]
    return f"{settings.auth.mode} ({', '.join(issuers) or 'service accounts'})"
