"""Requests for approval from a terminal, by the console's own rules.

place.py    which console; kept.py what the terminal keeps of its session
client.py   asks the console; sign_in.py signs the terminal in through a browser
shown.py    requests as text
"""
