"""A claim, where a test does not care whose it is."""

from datetime import UTC, datetime

from schemas.records import Campaign, CampaignOptions, Claim, Trust
from schemas.stages import Stage
from unmask.spec import ScanSpec

OPTIONS = CampaignOptions(name="one", model="m", model_digest="m", spec=ScanSpec())


def a_claim(
    item: int = 1, *, stage: Stage = Stage.EXTRACTING, options: CampaignOptions = OPTIONS
) -> Claim:
    return Claim(
        item=item,
        fence=1,
        stage=stage,
        owner="w",
        attempt=1,
        uri="https://a.example/b",
        trust=Trust.REMOTE,
        stamp="",
        campaign=Campaign(
            id=1, options=options, state="running", reason="", created_at=datetime.now(UTC)
        ),
    )
