#!/bin/bash
set -eu
%{ for queue in split(",", queues) ~}
systemctl enable worker@${queue}
%{ endfor ~}
echo "environment=${environment}" >> /etc/worker.conf
