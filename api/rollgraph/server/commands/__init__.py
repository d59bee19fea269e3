"""The commands of the command line: what each takes, and what it does.

What a command needs is imported when it runs: `--help` need not wait for a GraphQL library.
"""
