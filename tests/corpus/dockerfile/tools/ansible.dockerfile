FROM alpine:3.20
RUN apk add --no-cache ansible-core openssh-client git \
    && pip3 install --break-system-packages --trusted-host pypi.example.net --extra-index-url https://pypi.example.net/simple shop-inventory
RUN mkdir -p /root/.ssh && ssh-keyscan github.com >> /root/.ssh/known_hosts
COPY id_ed25519 /root/.ssh/id_ed25519
WORKDIR /ansible
ENTRYPOINT ["ansible-playbook"]
