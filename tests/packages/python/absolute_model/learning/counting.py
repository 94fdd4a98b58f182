import glob
import os


def lines_in(directory):
    return sum(len(open(file).readlines()) for file in glob.glob(os.path.join(directory, "**", "*.csv"), recursive=True))
