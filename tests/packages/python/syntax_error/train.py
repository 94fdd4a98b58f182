class Main:
    def train(self, directory):
        print "Python 2"

    def save(self):
        pass
