"""Survival: targets, score test, gene selection, splits and models."""
