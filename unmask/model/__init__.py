"""From face clips to probabilities: bundles, the network, prediction, heat."""
