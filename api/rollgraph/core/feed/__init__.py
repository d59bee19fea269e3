"""What workers know, on its way to gateways: numbered, so that whatever is lost is missed."""
