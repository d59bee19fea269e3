"""Kubernetes objects as far as Rollgraph reads them: typed, frozen, tolerant of all that is
unknown.

A field that Rollgraph does not use is not decoded. A field that has another type than the API
promises makes that one object `unreadable` (see `decode`), never the store or the stream.
"""
