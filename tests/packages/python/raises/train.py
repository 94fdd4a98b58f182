def deep(number):
    if number == 0:
        raise ValueError("the table has no column 'Größe'")
    deep(number - 1)


class Main:
    def train(self, directory):
        deep(2)

    def save(self):
        pass
