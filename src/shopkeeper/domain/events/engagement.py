"""E-mail, offers, rewards, campaigns and social channels."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from shopkeeper.domain.event import Properties, event, personal, says
from shopkeeper.domain.personal import Personal


class MessageFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What every event about a sent message carries."""

    campaign_id: Annotated[str, says("campaign it belonged to", "winter-boots")] = ""
    campaign_name: Annotated[str, says("name of the campaign", "Winter boots")] = ""
    email_id: Annotated[str, says("message", "m-1")] = ""
    email_subject: Annotated[str, says("subject line of the campaign", "Warm feet")] = ""
    link_url: Annotated[str, says("link clicked, without query", "https://shop.example/boots")] = ""
    machine: Annotated[bool, says("opened by a privacy proxy rather than a person", False)] = False
    reason: Annotated[str, says("why it bounced or was left", "mailbox full")] = ""
    bounce_type: Annotated[str, says("hard or soft", "hard")] = ""
    category: Annotated[str, says("category of goods it was about", "Lighting")] = ""

    def about(self) -> str:
        """The campaign in words."""
        return self.campaign_name or self.campaign_id or "an e-mail"


@event("Email Delivered")
class EmailDelivered(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """An e-mail reached the mailbox."""

    def sentence(self) -> str:
        """Which campaign."""
        return f"was sent {self.about()}"


@event("Email Opened")
class EmailOpened(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """An e-mail was opened, by a person or, marked so, by a machine."""

    def sentence(self) -> str:
        """Which campaign, and by whom."""
        return f"opened {self.about()}" + (" (a machine did)" if self.machine else "")


@event("Email Link Clicked", aliases=("Email Clicked",))
class EmailLinkClicked(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """A link in an e-mail was clicked."""

    def sentence(self) -> str:
        """Which campaign."""
        return f"clicked in {self.about()}"


@event("Email Bounced")
class EmailBounced(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """An e-mail could not be delivered."""

    def sentence(self) -> str:
        """Which campaign."""
        return f"could not be reached with {self.about()}"


@event("Email Marked as Spam")
class EmailMarkedAsSpam(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """The reader complained about an e-mail."""

    def sentence(self) -> str:
        """Which campaign."""
        return f"marked {self.about()} as spam"


@event("Email Unsubscribed", aliases=("Unsubscribed",))
class EmailUnsubscribed(MessageFields, frozen=True, kw_only=True, omit_defaults=True):
    """The reader unsubscribed from marketing e-mail."""

    def sentence(self) -> str:
        """Unsubscribed."""
        return "unsubscribed from marketing e-mail"


class OfferFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What every event about an offer carries."""

    offer_id: Annotated[str, says("offer", "free-shipping")] = ""
    offer_name: Annotated[str, says("name of the offer", "Free shipping")] = ""
    experiment_id: Annotated[str, says("experiment it was drawn in", "exp-1")] = ""
    decision_id: Annotated[str, says("decision that chose it", "d-1")] = ""
    campaign_id: Annotated[str, says("campaign it belonged to", "winter-boots")] = ""
    channel: Annotated[str, says("where it was made", "email")] = ""
    order_id: Annotated[str, says("order it was used in", "489434")] = ""
    propensity: Annotated[float | None, says("probability with which it was chosen", 0.5)] = None
    arm: Annotated[str, says("arm of the experiment, such as treatment or holdout", "treatment")] = ""
    value: Annotated[Decimal | None, says("what it is worth to the customer", "4.95")] = None
    currency: Annotated[str, says("ISO 4217", "GBP")] = ""

    def sentence(self) -> str:
        """What happened to which offer."""
        return f"{self.deed()} {self.offer_name or self.offer_id or 'an offer'}"

    def deed(self) -> str:
        """The deed in a word or two."""
        return "met the offer"


@event("Offer Shown")
class OfferShown(OfferFields, frozen=True, kw_only=True, omit_defaults=True):
    """An offer was made to the customer."""

    def deed(self) -> str:
        """Offered."""
        return "was offered"


@event("Offer Withheld")
class OfferWithheld(OfferFields, frozen=True, kw_only=True, omit_defaults=True):
    """An offer was drawn and, by the experiment's holdout, not made."""

    def deed(self) -> str:
        """Held out."""
        return "was held out from"


@event("Offer Accepted")
class OfferAccepted(OfferFields, frozen=True, kw_only=True, omit_defaults=True):
    """The customer took an offer."""

    def deed(self) -> str:
        """Accepted."""
        return "accepted"


@event("Offer Declined")
class OfferDeclined(OfferFields, frozen=True, kw_only=True, omit_defaults=True):
    """The customer declined an offer."""

    def deed(self) -> str:
        """Declined."""
        return "declined"


@event("Reward Granted")
class RewardGranted(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """Points or a benefit were given to the customer."""

    reward_id: Annotated[str, says("reward", "shipping-upgrade")] = ""
    kind: Annotated[str, says("points, benefit or event", "points")] = ""
    points: Annotated[int, says("points added", 100), Meta(ge=-(10**9), le=10**9)] = 0
    reason: Annotated[str, says("what it was given for", "shared a post")] = ""
    channel: Annotated[str, says("where it was given", "till")] = ""

    def sentence(self) -> str:
        """What was given."""
        return f"was given {self.points} points" if self.points else "was given a reward"


@event("Customer Referred")
class CustomerReferred(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """The customer brought somebody."""

    referral_code: Annotated[str, says("code that was used", "REF-1")] = ""
    referred_user_id: Annotated[
        str | None, personal(Personal.IDENTIFIER, "customer number of the one who came", "12346")
    ] = None
    referred_email: Annotated[
        str | None, personal(Personal.CONTACT, "e-mail address of the one who came", "b@example.com")
    ] = None

    def sentence(self) -> str:
        """Brought a friend."""
        return "brought a friend"


class SocialFields(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """What every event in a social channel carries."""

    network: Annotated[str, says("social network", "pinster")] = ""
    post_id: Annotated[str, says("post", "p-1")] = ""
    product_id: Annotated[str, says("product shown in the post", "85048")] = ""
    name: Annotated[str, says("product named in the post", "Glass ball lights")] = ""
    category: Annotated[str, says("category of the post", "Lighting")] = ""
    text: Annotated[str | None, personal(Personal.TEXT, "what was written", "Lovely")] = None

    def sentence(self) -> str:
        """The deed and the network."""
        return f"{declared_deed(self)} on {self.network or 'a social network'}"


def declared_deed(properties: SocialFields) -> str:
    """The last word of the event's name as a deed: liked, commented, shared, pinned, followed."""
    return {
        "SocialPostLiked": "liked a post",
        "SocialPostCommented": "commented on a post",
        "SocialPostShared": "shared a post",
        "SocialPostPinned": "pinned a post",
        "SocialAccountFollowed": "followed the shop",
        "SocialAccountLinked": "linked an account",
    }[type(properties).__name__]


@event("Social Account Linked")
class SocialAccountLinked(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """The customer linked a social account."""


@event("Social Account Followed")
class SocialAccountFollowed(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """The shop was followed on a social network."""


@event("Social Post Liked")
class SocialPostLiked(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """A post was liked."""


@event("Social Post Commented")
class SocialPostCommented(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """A post was commented on."""


@event("Social Post Shared")
class SocialPostShared(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """A post was shared."""


@event("Social Post Pinned")
class SocialPostPinned(SocialFields, frozen=True, kw_only=True, omit_defaults=True):
    """A post was pinned."""


@event("Review Submitted", aliases=("Product Reviewed", "Reviewed Product"))
class ReviewSubmitted(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """A review was written."""

    review_id: Annotated[str, says("review", "r-1")] = ""
    product_id: Annotated[str, says("product reviewed", "85048")] = ""
    name: Annotated[str, says("product name", "Glass ball lights")] = ""
    category: Annotated[str, says("category", "Lighting")] = ""
    brand: Annotated[str, says("brand", "Halden")] = ""
    rating: Annotated[Annotated[float, Meta(ge=0, le=100)] | None, says("stars from 1 to 5", 4)] = None
    review_body: Annotated[str | None, personal(Personal.TEXT, "what was written", "Bright and warm")] = None

    def sentence(self) -> str:
        """How many stars for what."""
        stars = f"{self.rating:g} of 5 stars" if self.rating is not None else "a review"
        return f"gave {stars} to {self.name or self.product_id or 'the shop'}"
