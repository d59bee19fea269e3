"""OpenID Connect: whose a token is, and how people get one."""
