"""The playground: the only room with sockets."""
