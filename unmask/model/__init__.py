"""From face clips to probabilities: bundles, the network, prediction, heat."""

import os

# torch's threads meet after every layer, and by default those that come first wait by spinning.
# Where other work shares the cores they spin on the very core that the last one needs: two
# threads on two busy cores then took six times as long as waiting asleep. Read when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
