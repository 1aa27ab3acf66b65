FROM php:7.4-cli
RUN apt-get update && apt-get install -y cron sudo
RUN curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/local/bin
COPY crontab /etc/cron.d/shop
RUN chmod 0644 /etc/cron.d/shop && crontab /etc/cron.d/shop
CMD ["cron", "-f"]
