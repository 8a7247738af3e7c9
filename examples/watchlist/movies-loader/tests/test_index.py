"""What the function promises; no network, no boto3."""

import json
import tempfile
import unittest
from pathlib import Path

import index


class Queue:
    """A queue that remembers, and refuses the films it is told to."""

    def __init__(self, refuses=()):
        self.calls = []
        self.refuses = refuses

    def send_message_batch(self, **call):
        """Take one batch as SQS does."""
        self.calls.append(call)
        ids = [entry["Id"] for entry in call["Entries"]]
        failed = [{"Id": i, "Code": "InternalError"} for i in ids if i in self.refuses]
        return {"Successful": [{"Id": i} for i in ids if i not in self.refuses], "Failed": failed}


class Load(unittest.TestCase):
    """Films go to the queue."""

    def setUp(self):
        self.movies = [{"id": f"tt{n}", "title": f"Film {n}"} for n in range(23)]

    def test_sends_every_film_once_in_order(self):
        """Each film is one message whose body is the film."""
        queue = Queue()
        self.assertEqual(index.load(queue, "the-url", self.movies), {"sent": 23})
        bodies = [json.loads(e["MessageBody"]) for call in queue.calls for e in call["Entries"]]
        self.assertEqual(bodies, self.movies)

    def test_sends_at_most_ten_in_a_call(self):
        """SQS takes no more than ten at once."""
        queue = Queue()
        index.load(queue, "the-url", self.movies)
        self.assertEqual([len(call["Entries"]) for call in queue.calls], [10, 10, 3])

    def test_sends_to_the_queue_it_was_given(self):
        """Nothing goes to another queue."""
        queue = Queue()
        index.load(queue, "the-url", self.movies)
        self.assertEqual({call["QueueUrl"] for call in queue.calls}, {"the-url"})

    def test_names_what_was_refused(self):
        """A film that SQS refuses fails the call by name instead of being lost."""
        with self.assertRaisesRegex(index.NotSentError, r"tt11 \(InternalError\)"):
            index.load(Queue(refuses=["tt11"]), "the-url", self.movies)

    def test_sends_nothing_when_there_is_nothing(self):
        """No film, no call."""
        queue = Queue()
        self.assertEqual(index.load(queue, "the-url", []), {"sent": 0})
        self.assertEqual(queue.calls, [])


class Read(unittest.TestCase):
    """The list of films is checked before anything is sent."""

    def test_the_list_that_is_shipped_is_good(self):
        """movies.json holds twenty films, each with its year."""
        movies = index.read(index.MOVIES)
        self.assertEqual(len(movies), 20)
        self.assertTrue(all(isinstance(movie["year"], int) for movie in movies))

    def test_refuses_a_film_without_a_title(self):
        """The message says which one."""
        with self.assertRaisesRegex(ValueError, "film 2 of .* needs an id and a title"):
            self.read([{"id": "a", "title": "A"}, {"id": "b"}])

    def test_refuses_an_id_used_twice(self):
        """SQS would refuse the whole batch."""
        with self.assertRaisesRegex(ValueError, "has the id of another: a"):
            self.read([{"id": "a", "title": "A"}, {"id": "a", "title": "B"}])

    def read(self, movies):
        """Read these films from a file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "movies.json")
            path.write_text(json.dumps(movies), encoding="utf-8")
            return index.read(path)


if __name__ == "__main__":
    unittest.main()
