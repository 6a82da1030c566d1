"""Common first names, last names and streets from which the persons are composed at random.

The lists hold frequent names only; a person who really bears such a combination is a coincidence.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


WOMEN = _words(
    """Margaret Susan Patricia Christine Jean Linda Carol Barbara Janet Elizabeth Ann Mary Sheila Maureen Pamela
    Julie Karen Jacqueline Deborah Tracey Jane Helen Diane Sharon Angela Alison Caroline Amanda Sarah Louise
    Nicola Joanne Claire Emma Samantha Lisa Rachel Rebecca Michelle Victoria Catherine Kate Gemma Laura Hannah
    Charlotte Amy Lucy Jessica Lauren Sophie Emily Chloe Olivia Megan Bethany Grace Holly Alice Eleanor Molly
    Ruth Frances Heather Wendy Gillian Lesley Lorraine Yvonne Hazel Marion Joan Dorothy Irene Vera Edith Rosemary
    Priya Aisha Fatima Nadia Anjali Mei Zara Leila Abigail Naomi Harriet Imogen Beatrice Florence Ivy Poppy"""
)
MEN = _words(
    """David John Peter Michael Alan Robert Stephen Paul Brian Graham Philip Anthony Colin Christopher Geoffrey
    William James Kevin Keith Derek Roger Raymond Kenneth Barry Ian Mark Andrew Simon Martin Nigel Gary Neil
    Jonathan Timothy Richard Adrian Stuart Darren Jason Lee Craig Matthew Daniel Adam Thomas Benjamin Joseph
    Samuel Joshua Luke Jack Oliver Harry George Charles Edward Henry Arthur Albert Frederick Stanley Walter
    Gordon Douglas Malcolm Trevor Clive Russell Duncan Gareth Rhys Dylan Callum Fraser Hamish Angus Rory Sean
    Imran Mohammed Rajesh Sanjay Arjun Omar Kofi Wei Dominic Nathan Toby Elliot Felix Leo Hugo Max"""
)
LAST = _words(
    """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts
    Green Hall Wood Jackson Clarke Clark Harrison Scott Cooper Morris Ward Hill Moore Turner Baker Parker Harris
    Edwards Morgan Collins Cook Bennett Bell Shaw Young Allen King Mitchell Carter Phillips Richardson Bailey Cox
    Marshall Webb Simpson Price Hughes Kelly Murphy Murray Palmer Mills Knight Barker Stevens Hunt Lloyd Butler
    Holmes Mason Rogers Gibson Stone Fisher Grant Barnes Ellis Chapman Dixon Hunter Reynolds Foster Gray Pearson
    Fox Hart Wells Spencer Payne Lawson Pearce Hudson Walsh Burton Bradley Dawson Berry Andrews Nicholson Carr
    Newman Warren Cole Day Cross Rose Sharp Moss Field Brook Lane Marsh Heath Patel Khan Ali Singh Shah Kaur
    Begum Ahmed Hussain Chen Okafor Mensah Nowak Kowalski Campbell Stewart Robertson MacDonald Cameron Sinclair
    Ferguson Douglas Wallace Buchanan Griffiths Powell Jenkins Pritchard Rees Bowen Byrne Doyle Nolan Quinn"""
)
FOREIGN: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # group: (women, men, last names)
    "de": (
        _words(
            "Anna Sabine Petra Monika Julia Katharina Claudia Birgit Lena Heike Ursula Karin Laura Nina Silke"
        ),
        _words(
            "Thomas Michael Andreas Stefan Markus Jan Florian Wolfgang Klaus Martin Tobias Lukas Dieter Uwe"
        ),
        _words(
            "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter Klein"
        ),
    ),
    "fr": (
        _words(
            "Marie Nathalie Isabelle Sylvie Catherine Camille Julie Chloé Sophie Élodie Céline Anne Hélène"
        ),
        _words(
            "Jean Philippe Michel Nicolas Pierre Julien Laurent Thomas Antoine Olivier François Hugo Rémi"
        ),
        _words(
            "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Roux"
        ),
    ),
    "nl": (
        _words("Johanna Anneke Sanne Lotte Femke Ingrid Marieke Eva Fleur Wilma"),
        _words("Jan Pieter Hendrik Daan Sander Bram Joost Ruud Willem Kees"),
        _words(
            "de_Jong Jansen de_Vries van_den_Berg Bakker Visser Smit Meijer de_Boer Mulder Bos Vos Peeters"
        ),
    ),
    "es": (
        _words(
            "María Carmen Ana Isabel Laura Lucía Marta Elena Cristina Pilar Sofia Inês Giulia Chiara Francesca"
        ),
        _words(
            "Antonio José Manuel Javier Carlos Miguel Pablo Luis Marco Andrea Paulo João Alessandro Diego"
        ),
        _words(
            "García Fernández López Martínez Sánchez Pérez Gómez Ruiz Silva Santos Ferreira Rossi Russo Bianchi"
        ),
    ),
    "no": (
        _words("Anna Ingrid Kari Eva Maja Karin Astrid Liv Helena Solveig Elin Sofie Aino Hanna"),
        _words("Lars Erik Anders Johan Ole Per Nils Mikael Jens Henrik Magnus Mikko Juha Björn"),
        _words(
            "Hansen Johansson Andersson Nielsen Olsen Larsen Eriksson Berg Karlsson Korhonen Virtanen Lund Dahl"
        ),
    ),
}
GROUP_OF_COUNTRY: dict[str, str] = {
    "Germany": "de", "Austria": "de", "Switzerland": "de", "France": "fr", "Belgium": "nl", "Netherlands": "nl",
    "Spain": "es", "Portugal": "es", "Italy": "es", "Brazil": "es", "Sweden": "no", "Norway": "no",
    "Denmark": "no", "Finland": "no", "Iceland": "no",
}  # fmt: skip
"""Country of the source -> group of names; every other country takes the British lists."""

STREETS = _words(
    """High_Street Station_Road Church_Lane Victoria_Road Park_Avenue Mill_Lane Green_Lane Kings_Road Queens_Road
    London_Road Manor_Road School_Lane Chapel_Street North_Street Albert_Road Grange_Road Orchard_Close Windsor_Road
    Springfield_Road The_Crescent West_Street New_Road York_Road Meadow_Way Elm_Grove Oak_Drive Cedar_Close
    Willow_Walk Highfield_Road Garden_Street Bridge_Street Castle_Street Market_Place George_Street Alexandra_Road"""
)
NICKNAMES: dict[str, str] = {
    "Margaret": "Maggie", "Susan": "Sue", "Patricia": "Pat", "Christine": "Chris", "Elizabeth": "Liz",
    "Deborah": "Debbie", "Catherine": "Cathy", "Rebecca": "Becky", "Victoria": "Vicky", "Samantha": "Sam",
    "Robert": "Bob", "William": "Bill", "Michael": "Mike", "David": "Dave", "Stephen": "Steve", "Anthony": "Tony",
    "Christopher": "Chris", "Richard": "Dick", "Andrew": "Andy", "Matthew": "Matt", "Daniel": "Dan", "Thomas": "Tom",
    "Benjamin": "Ben", "Joseph": "Joe", "Samuel": "Sam", "Joshua": "Josh", "Edward": "Ted", "Timothy": "Tim",
}  # fmt: skip
MAIL_HOSTS = _words(
    """mail.example.com post.example.org inbox.example.net home.example.com letters.example.org web.example.net
    family.example.org office.example.com"""
)
"""Hosts under the reserved names of RFC 2606, so that no real mailbox can be addressed."""

JUNK_EMAILS = ("test@example.com", "noemail@example.com", "none@example.org", "x@example.net")
JUNK_PHONES = ("0000000000", "01234567890", "1111111111", "07000000000")

CITIES: dict[str, tuple[str, str, str]] = {
    # city: (postcode area, prefix of the telephone numbers reserved for fiction, nearest store)
    "London": ("NW", "020 7946 0", "ST01"), "Manchester": ("M", "0161 496 0", "ST02"),
    "Bristol": ("BS", "0117 496 0", "ST03"), "Leeds": ("LS", "0113 496 0", "ST04"),
    "Edinburgh": ("EH", "0131 496 0", "ST05"), "Reading": ("RG", "0118 496 0", "ST01"),
    "Liverpool": ("L", "0151 496 0", "ST02"), "Sheffield": ("S", "0114 496 0", "ST04"),
    "Birmingham": ("B", "0121 496 0", "ST03"), "Glasgow": ("G", "0141 496 0", "ST05"),
    "Newcastle": ("NE", "0191 498 0", "ST04"), "Cardiff": ("CF", "029 2018 0", "ST03"),
    "Nottingham": ("NG", "0115 496 0", "ST04"), "Leicester": ("LE", "0116 496 0", "ST01"),
}  # fmt: skip
STORE_CITIES = ("London", "Manchester", "Bristol", "Leeds", "Edinburgh")
