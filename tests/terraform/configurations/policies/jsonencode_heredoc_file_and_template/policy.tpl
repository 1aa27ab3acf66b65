{"Statement": [
%{ for action in actions ~}
  {"Action": "${action}", "Effect": "Allow", "Resource": "arn:aws:iam::${account}:root"},
%{ endfor ~}
  {"Action": "*", "Effect": "Allow", "Resource": "*"}
]}
