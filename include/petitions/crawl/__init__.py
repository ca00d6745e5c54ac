"""Records of one source over one window, fetched politely and archived."""
