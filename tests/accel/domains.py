# SPDX-License-Identifier: GPL-2.0-or-later
"""Domains for libvirt, with what KubeVirt gives to its own."""

# What every domain of KubeVirt's has: hotpluggable CPUs, ports to plug devices
# into, the guest agent's channel, a balloon that gives free pages back, a log of
# the serial console's, VNC on a socket.
DEVICES = '''
    <controller type='usb' index='0' model='none'/>
    <controller type='scsi' index='0' model='virtio-non-transitional'/>
    <controller type='virtio-serial' index='0' model='virtio-non-transitional'/>
    <controller type='pci' index='0' model='pcie-root'/>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <serial type='pty'><target type='isa-serial' port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <graphics type='vnc'><listen type='socket'/></graphics>
    <video><model type='vga' vram='16384' heads='1'/></video>
    <memballoon model='virtio-non-transitional' freePageReporting='on'>
      <stats period='5'/>
    </memballoon>
'''
FEATURES = '<acpi/><apic/><pae/>'
CPU = "<cpu mode='host-model'/>"


def disk(path, name='vda', kind='raw', bus='virtio'):
    model = " model='virtio-non-transitional'" if bus == 'virtio' else ''
    return f'''
    <disk type='file' device='disk'{model}>
      <driver name='qemu' type='{kind}' cache='none' error_policy='stop'
          discard='unmap'/>
      <source file='{path}'/><target dev='{name}' bus='{bus}'/>
    </disk>'''


def domain(name, devices='', *, os='', features=FEATURES, cpu=CPU, vcpus=1,
           maximum=4, memory=256, modules='virtio_blk', machine='q35',
           timers='', on_crash='destroy'):
    """The XML."""
    boot = os or f'''<kernel>/guest/vmlinux</kernel>
    <initrd>/guest/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 modules=virtio_pci,{modules}</cmdline>'''
    return f'''
<domain type='hyperv'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu placement='static' current='{vcpus}'>{maximum}</vcpu>
  <os><type arch='x86_64' machine='{machine}'>hvm</type>{boot}</os>
  <features>{features}</features>
  {cpu}
  <clock offset='utc'>{timers}</clock>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>{on_crash}</on_crash>
  <pm><suspend-to-mem enabled='yes'/></pm>
  <devices>{DEVICES}{devices}</devices>
</domain>'''


def interface(tap='tap0', number=1):
    """A NIC at a tap device that is there, as KubeVirt's are."""
    return f'''
    <interface type='ethernet'>
      <mac address='52:54:00:00:00:{number:02x}'/>
      <target dev='{tap}' managed='no'/>
      <model type='virtio-non-transitional'/>
      <rom enabled='no'/>
    </interface>'''


CDROM = '''
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw' cache='none'/>
      <target dev='sda' bus='sata'/><readonly/>
    </disk>'''
