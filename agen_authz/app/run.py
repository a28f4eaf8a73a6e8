"""A running sidecar: what it is made of, how it starts, and how it ends without dropping a call."""

import asyncio
import contextlib
import hashlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry

from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.adapters.jwks import JwksSource
from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.adapters.sessions import MemorySessions
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem
