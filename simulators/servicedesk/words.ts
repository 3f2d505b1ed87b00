/** The 400 words that invented text is made of. */
export const WORDS: readonly string[] = `
access account action adapter address admin agent alarm alias allocation analysis antenna appliance application approval
archive array asset assistant attachment attribute audit authority automation backlog backup badge balance bandwidth
banner barcode baseline batch battery beacon benchmark binding blade block board bookmark boot bracket branch breaker
bridge broker browser bucket budget buffer build bundle bypass byte cabinet cable cache calendar camera campus capacity
card carrier cartridge catalog category cell certificate chain change channel chart chassis checklist checksum chipset
circuit client clock cloud cluster code collector column command compiler component compute config connector console
container content contract controller converter copy core counter coverage credential cursor cycle dashboard database
dataset deadline decoder default delay delivery demand deployment desk desktop detail device diagram dialog digest
directory disk dispatch display dock document domain download drawer driver duplex duration edge editor element email
emulator encoder endpoint engine entry envelope error escalation estimate event export extension fabric factor failover
fallback fan feature feed fiber field figure file filter finding fingerprint firewall firmware fixture flag flow folder
font footer form format forwarder forum fragment frame framework frequency function fuse gateway gauge generator glossary
grant graph grid group guide handler handover handset hardware hash header headset heartbeat history hook host hotfix
housing hub icon identity image impact import inbox index indicator input inquiry install instance interface interval
inventory invoice item job journal junction kernel keyboard kiosk label language laptop latency layer layout leaf lease
ledger library license limit line link list listener load locale location lock logbook login loop machine mailbox manager
manual map margin mask master matrix meeting member memory menu message meter method metric migration mirror mobile mode
model modem module monitor mount mouse network node notebook notice number object office operator option order outage
outlet output owner package page panel parameter parcel parser partition password patch path pattern peer permission
phone pilot pipeline plan platform plugin pointer policy pool port portal power prefix preset preview printer priority
probe procedure process processor profile program project prompt proposal protocol provider proxy queue quota rack radio
range rate reader reboot receipt record recovery redirect region register relay release reminder remote renewal repair
replica report request reserve reset resolver resource response restart restore result retry review revision role rollout
rota router routine row rule runbook sample scanner schedule schema screen script search sensor server service setting signal site socket spool standard storage
switch system table team terminal ticket token update
`
  .trim()
  .split(/\s+/);
