"""Networks that papers describe and scans don't need; loaded only where a bundle names them."""
