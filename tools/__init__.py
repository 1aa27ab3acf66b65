"""Chores of this repository; none of it ships."""
