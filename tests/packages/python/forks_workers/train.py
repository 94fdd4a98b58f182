import multiprocessing
import os


def size_of(path):
    return os.path.getsize(path)


class Main:
    def train(self, directory):
        paths = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
        with multiprocessing.Pool(3) as pool:
            forked = pool.map(size_of, paths)
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            spawned = pool.map(size_of, paths)
        assert forked == spawned, (forked, spawned)
        self.sizes = forked
        if os.fork() == 0:
            return  # a careless fork comes back as a second Main

    def save(self):
        with open("sizes.txt", "a") as file:
            file.write(" ".join(map(str, self.sizes)) + "\n")
