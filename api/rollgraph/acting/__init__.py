"""Actions carried out: read afresh, planned, sent, planned again on conflict, told to the audit."""
