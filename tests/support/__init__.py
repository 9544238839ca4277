"""What tests share: keys and clients, commands, browsers, made-up records."""
