#!/bin/sh
# The networks of a hybrid cluster, as namespaces of this machine, for test/faults/hybrid.test.ts. Needs root, ip, tc and nft.
#
#     networks.sh up PREFIX        makes PREFIX-controller, -lab, -router, -home and -site
#     networks.sh down PREFIX      removes them
#
#     controller 10.71.1.1 ----- 10.71.1.2 lab
#     controller 10.71.2.1 ----- 10.71.2.2 router 192.168.71.1 ----- 192.168.71.2 home
#     controller 10.71.3.1 --~-- 10.71.3.2 site
#
# The router translates addresses, and the controller has no route to what is behind it: home can only dial out. The wire to the
# site passes 20 Mbit/s and loses two packets of a hundred, each way. (tc's netem could do that alone, but not every kernel has it.)
# Each of them knows the controller as `controller`, and as `files`, by the address that it has for it.
set -eu
action=$1
prefix=$2

in_namespace() {
  name=$1
  shift
  ip netns exec "$prefix-$name" "$@"
}

# FROM ADDRESS TO ADDRESS: each end is an interface that is named after where it leads.
wire() {
  ip link add "$3" netns "$prefix-$1" type veth peer name "$1" netns "$prefix-$3"
  ip -n "$prefix-$1" address add "$2" dev "$3"
  ip -n "$prefix-$3" address add "$4" dev "$1"
  ip -n "$prefix-$1" link set "$3" up
  ip -n "$prefix-$3" link set "$1" up
}

# NAMESPACE ADDRESS
knows_controller_as() {
  mkdir -p "/etc/netns/$prefix-$1"
  printf '127.0.0.1 localhost\n%s controller files\n' "$2" >"/etc/netns/$prefix-$1/hosts"
}

case $action in
  up)
    for name in controller lab router home site; do
      ip netns add "$prefix-$name"
      ip -n "$prefix-$name" link set lo up
    done
    wire controller 10.71.1.1/24 lab 10.71.1.2/24
    wire controller 10.71.2.1/24 router 10.71.2.2/24
    wire router 192.168.71.1/24 home 192.168.71.2/24
    wire controller 10.71.3.1/24 site 10.71.3.2/24

    ip -n "$prefix-home" route add default via 192.168.71.1
    in_namespace router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    in_namespace router nft 'table ip nat {
      chain out { type nat hook postrouting priority 100; oifname "controller" masquerade; }
    }'

    in_namespace site tc qdisc add dev controller root tbf rate 20mbit burst 32kbit latency 400ms
    in_namespace controller tc qdisc add dev site root tbf rate 20mbit burst 32kbit latency 400ms
    in_namespace site nft 'table ip loss {
      chain in { type filter hook input priority 0; iifname "controller" numgen random mod 100 < 2 drop; }
      chain out { type filter hook output priority 0; oifname "controller" numgen random mod 100 < 2 drop; }
    }'

    knows_controller_as controller 127.0.0.1
    knows_controller_as lab 10.71.1.1
    knows_controller_as home 10.71.2.1
    knows_controller_as site 10.71.3.1
    ;;
  down)
    for name in controller lab router home site; do
      ip netns delete "$prefix-$name" 2>/dev/null || true
      rm -rf "/etc/netns/$prefix-$name"
    done
    ;;
esac
