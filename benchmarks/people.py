"""Records about people with the truth: who of a town wrote which line into which of a retailer's systems.

A town of households lives through some years: people marry and take names, move, have twins and sons of the same
name, share a landline, an e-mail address or a loyalty card, give up mobile numbers that others get. They leave records
in five systems, each of which asks for other fields; people and clerks mistype, shorten, leave out, and fill what a
form insists on with something. Rates are guesses from retail practice, set before any linkage ran on them, and
nothing here reads ``shopkeeper``: names and how often they occur are Faker's, short names are listed here. One thing
was changed after linkage had run: an e-mail address is given out once, as providers do.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import pyarrow as pa
from faker.providers.person.en_GB import Provider as British
from faker.providers.person.en_US import Provider as American

SHORT = {
    "William": ("Will", "Bill", "Billy"), "Robert": ("Rob", "Bob", "Bobby"), "Elizabeth": ("Liz", "Beth", "Lizzie"),
    "Margaret": ("Maggie", "Peggy"), "Katherine": ("Kate", "Kathy"), "Catherine": ("Cathy", "Cat"),
    "Michael": ("Mike", "Mick"), "James": ("Jim", "Jamie"), "Thomas": ("Tom", "Tommy"), "Richard": ("Rick", "Dick"),
    "Christopher": ("Chris", "Kit"), "Matthew": ("Matt",), "Jennifer": ("Jen", "Jenny"), "Susan": ("Sue", "Suzie"),
    "Patricia": ("Pat", "Trish"), "Anthony": ("Tony",), "Andrew": ("Andy", "Drew"), "Daniel": ("Dan", "Danny"),
    "Joseph": ("Joe", "Joey"), "Samantha": ("Sam",), "Rebecca": ("Becky", "Bex"), "Victoria": ("Vicky", "Tori"),
    "Jessica": ("Jess",), "Alexander": ("Alex", "Sandy"), "Alexandra": ("Alex", "Lexie"), "Deborah": ("Debbie",),
    "Steven": ("Steve",), "Stephen": ("Steve",), "Benjamin": ("Ben",), "Nicholas": ("Nick",), "Edward": ("Ed", "Ted"),
    "Charlotte": ("Lottie", "Charlie"), "Abigail": ("Abbie", "Gail"), "Gregory": ("Greg",), "Kenneth": ("Ken",),
}  # fmt: skip
_ROADS = ("Road", "Street", "Lane", "Avenue", "Close", "Drive", "Court", "Way", "Gardens", "Terrace")
_SHORTER = {"Road": "Rd", "Street": "St.", "Lane": "Ln", "Avenue": "Ave", "Drive": "Dr", "Court": "Ct"}
_STEMS = (
    "Mill", "Church", "Station", "Victoria", "Green", "Park", "Queens", "Kings", "North", "South", "Grange", "Manor",
    "Springfield", "Windsor", "York", "Albert", "Chester", "Highfield", "Orchard", "Woodland", "Meadow", "Alexandra",
    "Stanley", "Cambridge", "Oxford", "Bridge", "Hill", "Forest", "Garden", "Beech", "Oak", "Elm", "Cedar", "Ash",
)  # fmt: skip
_HOSTS = (
    "gmail.com",
    "hotmail.co.uk",
    "outlook.com",
    "yahoo.co.uk",
    "icloud.com",
    "btinternet.com",
    "sky.com",
)
_HOST_SHARES = (40, 18, 14, 12, 8, 5, 3)
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "mb", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi",
    "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
FIELDS = ("first_name", "last_name", "birthday", "street", "city", "postcode", "email", "phone", "gender")


class Home(NamedTuple):
    street: str
    road: str
    house: int
    city: str
    postcode: str


class Human:
    """Somebody of the town, over time."""

    __slots__ = (
        "born", "card", "emails", "first", "homes", "lasts", "phones", "sex", "user",
    )  # fmt: skip

    def __init__(self, first: str, last: str, sex: str, born: str, home: Home) -> None:
        self.first, self.lasts, self.sex, self.born, self.homes = first, [last], sex, born, [home]
        self.emails: list[str] = []
        self.phones: list[str] = []
        self.card: str | None = None
        self.user: str | None = None


class Town:
    """Households drawn one after another from a seed."""

    def __init__(self, seed: int, people: int) -> None:
        self.chance = random.Random(seed)
        self.women, self.women_shares = _names(British.first_names_female, American.first_names_female)
        self.men, self.men_shares = _names(British.first_names_male, American.first_names_male)
        self.lasts, self.last_shares = _names(British.last_names, American.last_names)
        cities = max(8, people // 4_000)
        self.cities = [
            f"{self.chance.choice(self.lasts)}{self.chance.choice(('ton', 'ford', 'ham', 'bury'))}"
            for _ in range(cities)
        ]
        self.mobiles: list[str] = []
        self.taken: set[str] = set()
        self.serial = 0

    def number(self) -> int:
        self.serial += 1
        return self.serial

    def home(self) -> Home:
        c = self.chance
        place = min(int(c.paretovariate(0.9)) - 1, len(self.cities) - 1)
        area = f"{'ABCDEFGHLMNPRSTW'[place % 16]}{'BDEHLNRSTY'[place // 16 % 10]}{c.randint(1, 9)}"
        return Home(
            f"{c.choice(_STEMS)}{c.choice(('', '', 'field', 'wood', ' View'))}", c.choice(_ROADS), c.randint(1, 140),
            self.cities[place], f"{area} {c.randint(1, 9)}{c.choice('ABDEFGHJLNPQRSTUWXYZ')}{c.choice('ABDEFGHJLN')}",
        )  # fmt: skip

    def household(self) -> list[Human]:
        c = self.chance
        home = self.home()
        last = self.last()
        landline = f"01{c.randint(200_000_000, 999_999_999)}" if c.random() < 0.45 else None
        shared_email = None
        adults = 2 if c.random() < 0.62 else 1
        sexes = ["f", "m"] if adults == 2 and c.random() < 0.94 else [c.choice("fm") for _ in range(adults)]
        year = c.randint(1935, 2000)
        family = [
            Human(
                self.given(sex),
                last if k == 0 or c.random() < 0.7 else self.last(),
                sex,
                self.day(year + c.randint(-4, 4)),
                home,
            )
            for k, sex in enumerate(sexes)
        ]  # fmt: skip
        if (adults == 2 and year < 1975 and c.random() < 0.65) or c.random() < 0.05:
            family += self.children(family, year)
        if len(family) > 1 and c.random() < 0.16:
            mailbox = (
                f"{c.choice(('the', '', 'family.'))}{last}{c.choice(('s', 'family', str(c.randint(1, 99))))}"
            )
            shared_email = f"{mailbox}@{self.host()}".lower()
        for human in family:
            self.reach(human, landline, shared_email)
        if len(family) > 1 and c.random() < 0.06:
            family[1].card = family[0].card
        return family

    def children(self, family: list[Human], year: int) -> list[Human]:
        c = self.chance
        last, home = family[0].lasts[0], family[0].homes[0]
        found: list[Human] = []
        for _ in range(c.choice((1, 1, 2, 2, 3))):
            sex = c.choice("fm")
            father = next((h for h in family if h.sex == "m"), None)
            first = father.first if sex == "m" and father and c.random() < 0.05 else self.given(sex)
            born = self.day(min(2008, year + c.randint(20, 38)))
            found.append(Human(first, last, sex, born, home))
            if c.random() < 0.016:
                twin = c.choice("fm")
                found.append(Human(self.given(twin), last, twin, born, home))
        return found

    def reach(self, human: Human, landline: str | None, shared: str | None) -> None:
        """How somebody can be reached, and what changed in their life."""
        c = self.chance
        if shared and c.random() < 0.7:
            human.emails.append(shared)
        while c.random() < (0.85 if not human.emails else 0.22):
            human.emails.append(self.address_of(human))
        if c.random() < 0.82:
            if self.mobiles and c.random() < 0.012:
                human.phones.append(c.choice(self.mobiles))
            else:
                human.phones.append(f"07{c.randint(100_000_000, 999_999_999)}")
                self.mobiles.append(human.phones[-1])
        if landline:
            human.phones.append(landline)
        if c.random() < 0.13:
            human.homes.append(self.home())
        if human.sex == "f" and c.random() < 0.07:
            human.lasts.append(self.last() if c.random() < 0.75 else f"{human.lasts[0]}-{self.last()}")
        if c.random() < 0.4:
            human.card = f"LC{self.number():08d}"
        if human.emails and c.random() < 0.45:
            human.user = f"u{self.number()}"

    def address_of(self, human: Human) -> str:
        c = self.chance
        first, last = human.first.lower(), human.lasts[0].lower().replace("'", "")
        shape = c.choice(("{f}.{l}", "{f}{l}", "{i}{l}", "{f}{n}", "{l}{n}", "{f}.{l}{n}", "{f}_{y}"))
        said = shape.format(f=first, l=last, i=first[0], n=c.randint(1, 999), y=human.born[:4])
        host = self.host()
        while f"{said}@{host}" in self.taken:  # a provider gives an address once
            said = f"{said}{c.randint(0, 9)}"
        self.taken.add(f"{said}@{host}")
        return f"{said}@{host}"

    def host(self) -> str:
        return self.chance.choices(_HOSTS, _HOST_SHARES)[0]

    def given(self, sex: str) -> str:
        names, shares = (self.women, self.women_shares) if sex == "f" else (self.men, self.men_shares)
        return self.chance.choices(names, cum_weights=shares)[0]

    def last(self) -> str:
        return self.chance.choices(self.lasts, cum_weights=self.last_shares)[0]

    def day(self, year: int) -> str:
        return f"{year}-{self.chance.randint(1, 12):02d}-{self.chance.randint(1, 28):02d}"


def _names(*lists: object) -> tuple[list[str], list[float]]:
    """Names with running sums of how often they occur."""
    shares: dict[str, float] = {}
    for names in lists:
        pairs = names.items() if hasattr(names, "items") else ((n, 1 / len(names)) for n in names)
        pairs = list(pairs)
        whole = sum(w for _, w in pairs)
        for name, share in pairs:
            shares[name] = shares.get(name, 0.0) + share / whole
    sums, running = [], 0.0
    for share in shares.values():
        running += share
        sums.append(running)
    return list(shares), sums


class Clerk:
    """Writes somebody into a system as forms and people do."""

    def __init__(self, town: Town) -> None:
        self.town, self.chance = town, town.chance

    def record(self, human: Human) -> dict[str, str | None]:
        c = self.chance
        system = c.choices(("web", "till", "news", "calls", "market"), (40, 22, 10, 10, 18))[0]
        home = human.homes[c.randrange(len(human.homes))]
        last = human.lasts[c.randrange(len(human.lasts))]
        email = c.choice(human.emails) if human.emails else None
        phone = c.choice(human.phones) if human.phones else None
        row: dict[str, str | None] = dict.fromkeys((*FIELDS, "loyalty_card"))
        if system != "news" or c.random() < 0.5:
            row["first_name"] = self.first(human)
        if system != "news":
            row["last_name"] = self.typed(last, 0.02)
        if system in {"web", "market"} or (system == "till" and c.random() < 0.3):
            row["street"], row["city"], row["postcode"] = (
                self.street(home),
                self.typed(home.city, 0.015),
                self.code(home),
            )
        if system == "calls" and c.random() < 0.7:
            row["postcode"] = self.code(home)
        if system in {"web", "news"} or (system in {"till", "calls"} and c.random() < 0.35):
            row["email"] = self.typed(email, 0.012)
        if c.random() < {"web": 0.6, "till": 0.5, "news": 0.0, "calls": 0.9, "market": 0.3}[system]:
            row["phone"] = self.phone(phone)
        if c.random() < {"web": 0.3, "till": 0.7, "news": 0.1, "calls": 0.35, "market": 0.0}[system]:
            row["birthday"] = self.born(human.born)
        if system == "till" and c.random() < 0.6:
            row["gender"] = human.sex if c.random() < 0.99 else c.choice("fm")
        if system == "till" and human.card and c.random() < 0.8:
            row["loyalty_card"] = human.card
        self.filled(row, system)
        return row

    def first(self, human: Human) -> str:
        c = self.chance
        roll = c.random()
        if roll < 0.02:
            return human.first[0] + c.choice(("", "."))
        if roll < 0.12 and human.first in SHORT:
            return c.choice(SHORT[human.first])
        if roll > 0.985:
            return f"{human.first} {c.choice((*_STEMS, 'Ann', 'Lee', 'Jane', 'J'))}"
        return self.typed(human.first, 0.018) or human.first

    def street(self, home: Home) -> str:
        c = self.chance
        road = _SHORTER.get(home.road, home.road) if c.random() < 0.3 else home.road
        line = f"{home.house} {home.street} {road}"
        if c.random() < 0.04:
            line = f"Flat {c.randint(1, 9)}, {line}"
        return self.typed(line, 0.03) or line

    def code(self, home: Home) -> str:
        said = home.postcode if self.chance.random() < 0.8 else home.postcode.replace(" ", "").lower()
        return self.typed(said, 0.01) or said

    def phone(self, number: str | None) -> str | None:
        if not number:
            return None
        c = self.chance
        if c.random() < 0.25:
            number = f"+44 {number[1:5]} {number[5:]}"
        return self.typed(number, 0.008, digits=True)

    def born(self, day: str) -> str:
        c = self.chance
        year, month, date = day.split("-")
        roll = c.random()
        if roll < 0.006:
            return f"{year}-{date}-{month}"
        if roll < 0.014:
            return c.choice(("1970-01-01", "1900-01-01", "2000-01-01", "1980-01-01"))
        return self.typed(day, 0.01, digits=True) or day

    def typed(self, text: str | None, rate: float, *, digits: bool = False) -> str | None:
        """Text with a slip of the hand in some cases, and in another case of letters in others."""
        c = self.chance
        if text and c.random() < rate:
            at = c.randrange(len(text))
            kind = c.randrange(4)
            if digits or text[at].isdigit():
                new = c.choice("0123456789")
                text = text[:at] + new + text[at + 1 :] if text[at].isdigit() else text
            elif kind == 0:
                text = text[:at] + text[at + 1 :]
            elif kind == 1:
                text = text[:at] + c.choice(_NEAR.get(text[at].lower(), "e")) + text[at + 1 :]
            elif kind == 2:
                text = text[:at] + text[at] + text[at:]
            else:
                text = text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]
        if text and c.random() < 0.06:
            return c.choice((text.upper(), text.lower()))
        return text

    def filled(self, row: dict[str, str | None], system: str) -> None:
        """What a form insists on, and slips that concern the whole row."""
        c = self.chance
        if c.random() < 0.006:
            row["email"] = c.choice(
                ("noemail@noemail.com", "customer@shop.example", "none@none.com", "info@mail.com")
            )
        if c.random() < 0.006 and system in {"till", "calls"}:
            row["phone"] = c.choice(
                ("01632960000", "07000000000", "01234567890", "0000000000", "01632960961")
            )
        if c.random() < 0.004:
            row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
        if c.random() < 0.004:
            row["first_name"] = c.choice(("Customer", "Test", "-", "Mr", "N/A"))


def people(records: int, *, seed: int = 7) -> tuple[pa.Table, dict[str, str]]:
    """About ``records`` records (exactly that many) with columns as in ``resolve.linkage.person``, and id -> human."""
    town = Town(seed, records)
    clerk, chance = Clerk(town), town.chance
    rows: list[dict[str, str | None]] = []
    truth: list[int] = []
    human_number = 0
    while len(rows) < records:
        family = town.household()
        for human in family:
            human_number += 1
            before: dict[str, str | None] | None = None
            for _ in range(min(1 + int(chance.expovariate(1 / 1.6)), 25)):
                if before is not None and chance.random() < 0.3:
                    row = dict(before)
                else:
                    row = clerk.record(human)
                    if chance.random() < 0.008 and len(family) > 1:
                        row["email"] = chance.choice(
                            chance.choice(family).emails or [None]
                        )  # ordered for another
                rows.append(row)
                truth.append(human_number)
                before = row
    order = list(range(records))
    chance.shuffle(order)
    ids = [f"r{k:07d}" for k in range(records)]
    columns = {name: pa.array([rows[i][name] for i in order], pa.string()) for name in FIELDS}
    cards = [rows[i]["loyalty_card"] for i in order]
    strong = pa.array(
        [[("loyalty_card", card)] if card else [] for card in cards], pa.map_(pa.string(), pa.string())
    )
    table = pa.table({"id": pa.array(ids), **columns, "strong": strong})
    return table, {record: str(truth[i]) for record, i in zip(ids, order, strict=True)}
