"""Who asks: by a token, by a browser's login, or not at all."""
