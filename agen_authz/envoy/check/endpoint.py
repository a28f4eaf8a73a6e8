"""Where a cluster leads: the addresses in it, or those that its discovery brought into the same dump."""

from agen_authz.core.http.loopback import is_loopback
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.spot import Spot


def find_addresses(sheet: Sheet, cluster: Spot) -> list[Spot]:
    """Find the addresses of a cluster; one that is not written is an address that is not known.

    Endpoints of EDS are under the cluster's service name, if it has one; `/config_dump?include_eds` has them.
    """
    service = cluster.at("eds_cluster_config", "service_name").text
    discovered = sheet.endpoints.get(service or cluster.at("name").text, ())
    is_discovered = cluster.at("eds_cluster_config").is_written or cluster.at("type").word in ("EDS", "3")
    assignments = [cluster.at("load_assignment"), *(discovered if is_discovered else ())]
    return [
        address
        for assignment in assignments
        for group in assignment.at("endpoints").items()
        for address in _addresses_of(group)
    ]


def _addresses_of(group: Spot) -> list[Spot]:
    elsewhere = group.at("leds_cluster_locality_config")
    found = [elsewhere.at("address")] if elsewhere.is_written else []
    for entry in group.at("lb_endpoints").items():
        endpoint = entry.at("endpoint")
        found.append(endpoint.at("address"))
        found.extend(more.at("address") for more in endpoint.at("additional_addresses").items())
    return found


def is_near(address: Spot) -> bool:
    """True if an Envoy address is a Unix socket or on loopback."""
    host = address.at("socket_address", "address").text
    return address.at("pipe").is_written or is_loopback(host)


def find_places(sheet: Sheet, cluster: Spot) -> set[str]:
    """Spell the addresses of a cluster, so that two clusters of one address can be found."""
    places = set()
    for address in find_addresses(sheet, cluster):
        socket = address.at("socket_address")
        place = f"{socket.at('address').text}:{socket.at('port_value').word}"
        places.add(address.at("pipe", "path").text if address.at("pipe").is_written else place)
    return places - {":", ""}
