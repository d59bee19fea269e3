"""Answers that go on: operations over WebSockets, server-sent events and multipart."""
