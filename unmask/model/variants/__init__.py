"""Networks that papers describe and scans don't need; loaded only where a bundle names them."""

from unmask.model.description import Trunk

#: The trunk that has attention heads.
ATTENTIVE: Trunk = "multi_attention_b4"
