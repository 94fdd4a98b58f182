class Main:
    def train(self, directory):
        pass

    def save(self):
        pass
