"""What a test tells a program under test to do while it runs: the other side of
tests/scenario/order.h."""

import mmap

import kit
import tap

SIZE = 256


class Order:
    """A file that the program maps when it starts; `path` is for its
    environment."""

    def __init__(self):
        self.path = kit.fresh_path("order")
        self.path.write_bytes(bytes(SIZE))
        with self.path.open("r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), SIZE)

    def give(self, text):
        data = text.encode()
        tap.check(len(data) < SIZE - 1, "the order is too long")
        self.cancel()
        self.bytes[1:] = data.ljust(SIZE - 1, b"\0")
        self.bytes[0] = 1

    def cancel(self):
        self.bytes[0] = 0

    def is_there(self):
        return self.bytes[0] != 0
