"""What Argo CD's own objects mean to us: which clusters, which applications, whose policies.

As read in Argo CD 3.2; where an older one differs, a comment says so.
"""
